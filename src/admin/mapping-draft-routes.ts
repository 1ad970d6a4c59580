/** Drafts of whole sets of mappings: written, looked at, activated now or at a time; a department's onboarding is one. */

import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import type { MappingDraftId, TenantId } from '../kernel/ids.ts';
import { activateDraft } from '../provisioning/draft-activation-flow.ts';
import type { Edit } from '../provisioning/edit.ts';
import { selectMappings } from '../provisioning/mapping-store.ts';
import type { StoredSetDraft } from '../provisioning/mapping-version.ts';
import {
  createDraft,
  removeDraft,
  replaceDraft,
  unknownDraft,
} from '../provisioning/mapping-version-flow.ts';
import { countDraftResult, selectDraft, selectDrafts } from '../provisioning/mapping-version-store.ts';
import { previewEdit } from '../provisioning/preview-flow.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import {
  ActivationForm,
  DraftAnswer,
  DraftForm,
  DraftPreviewAnswer,
  DraftPreviewForm,
  draftIdOf,
  readActivation,
  readDraft,
  showDraft,
  showResult,
} from './mapping-draft-form.ts';
import { afterId, readLimit, toPage } from './paging.ts';
import { PreviewQuery, pageOf, showPreview } from './preview-form.ts';
import { listOf, PageQuery, problems, TenantAndId, TenantPath } from './schemas.ts';

const tags = ['mappings'];
const path = '/tenants/:t/mapping-drafts';

export function mappingDraftRoutes(scope: AdminScope, { database }: Services): void {
  scope.get(
    path,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List drafts of the mappings',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(DraftAnswer), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const after = afterId(query);
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectDrafts(tx, after, readLimit(query)),
      );
      return reply.send(toPage(query, rows, ({ id }) => id, showDraft));
    },
  );

  scope.get(
    `${path}/:id`,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read a draft, and once it is activated what came of it',
        params: TenantAndId,
        response: { 200: DraftAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const id = draftIdOf(request.params.id);
      return reply.send(await readWhole({ database }, adminTenantOf(request).id, id));
    },
  );
}

async function readWhole({ database }: Pick<Services, 'database'>, tenantId: TenantId, id: MappingDraftId) {
  return await inTenant(database, tenantId, async (tx) => {
    const draft = await selectDraft(tx, id);
    if (draft === undefined) throw unknownDraft(id);
    return showResult(draft, draft.activated === null ? null : await resultOf(tx, draft));
  });
}

async function resultOf(tx: TenantTransaction, { touched }: StoredSetDraft) {
  const mappings = await selectMappings(tx);
  return await countDraftResult(
    tx,
    mappings.filter(({ id }) => touched.includes(id)),
  );
}

export function mappingDraftEditRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.post(
    path,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Write a draft of the mappings',
        params: TenantPath,
        body: DraftForm,
        response: { 201: DraftAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      return reply.code(201).send(showDraft(await createDraft(database, door, readDraft(request.body))));
    },
  );

  scope.put(
    `${path}/:id`,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Replace a draft; where it was scheduled it no longer is',
        params: TenantAndId,
        body: DraftForm,
        response: { 200: DraftAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      const id = draftIdOf(request.params.id);
      return reply.send(showDraft(await replaceDraft(database, door, id, readDraft(request.body))));
    },
  );

  scope.delete(
    `${path}/:id`,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Delete a draft; what it activated stays',
        params: TenantAndId,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      await removeDraft(database, adminDoorOf(request, clock.now()), draftIdOf(request.params.id));
      return reply.code(204).send(null);
    },
  );
}

export function mappingDraftUseRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  scope.post(
    `${path}/:id/preview`,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Say what a draft would do to whom if it were activated now',
        description: 'Nothing is written. Refuses what the activation would be refused for.',
        params: TenantAndId,
        querystring: PreviewQuery,
        body: DraftPreviewForm,
        response: { 200: DraftPreviewAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { query, body } = request;
      const edit = { op: 'draft', id: draftIdOf(request.params.id), rebase: body.rebase ?? false } as const;
      const door = adminDoorOf(request, clock.now());
      const preview = await previewEdit(database, door, edit, pageOf(query));
      const { needed: seats, available } = preview;
      return reply.send({ ...showPreview(preview, query), need: { seats, available } });
    },
  );

  scope.post(
    `${path}/:id/activate`,
    {
      config: { auth: 'tenant-write', edit: activation },
      schema: {
        tags,
        summary: 'Put a draft in force, now or at a time',
        description: 'All of it or nothing. A draft whose base is not in force any more needs rebase.',
        params: TenantAndId,
        body: ActivationForm,
        response: { 200: DraftAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      const id = draftIdOf(request.params.id);
      await activateDraft(database, door, id, readActivation(request.body));
      nudgeSync();
      return reply.send(await readWhole({ database }, door.tenantId, id));
    },
  );
}

const activation = ({ params, body }: FastifyRequest): Edit => ({
  op: 'draft',
  id: draftIdOf((params as { id: string }).id),
  rebase: readActivation(body as Static<typeof ActivationForm>).rebase,
});
