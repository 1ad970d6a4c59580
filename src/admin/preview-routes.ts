/** What an edit would do to whom, told before it is made. */

import type { Services } from '../http/services.ts';
import { previewEdit } from '../provisioning/preview-flow.ts';
import { adminDoorOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import {
  MappingEditForm,
  mappingEdits,
  namedInBody,
  PreviewAnswer,
  PreviewQuery,
  pageOf,
  readMappingEdit,
  readSeatEdit,
  refuseOthers,
  SeatEditForm,
  SeatPreviewAnswer,
  seatEdits,
  showPreview,
  showSeatPreview,
} from './preview-form.ts';
import { problems, TenantPath } from './schemas.ts';

const description =
  'Nothing is written. Refuses what the edit itself would be refused for, and names the field by its path in this body.';

export function previewRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.post(
    '/tenants/:t/mappings/preview',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags: ['mappings'],
        summary: 'Say what an edit of the mappings would do to whom',
        description,
        params: TenantPath,
        querystring: PreviewQuery,
        body: MappingEditForm,
        response: { 200: PreviewAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { body, query } = request;
      const door = adminDoorOf(request, clock.now());
      refuseOthers(body, mappingEdits[body.op]);
      const page = pageOf(query);
      const preview = await namedInBody(body, () =>
        previewEdit(database, door, readMappingEdit(body, door.now), page),
      );
      return reply.send(showPreview(preview, query));
    },
  );

  scope.post(
    '/tenants/:t/seats/preview',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags: ['contract'],
        summary:
          'Say what an edit of contract, settings, a sub-pool or a pin, or the end of a batch, would do to whom',
        description,
        params: TenantPath,
        querystring: PreviewQuery,
        body: SeatEditForm,
        response: { 200: SeatPreviewAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { body, query } = request;
      const door = adminDoorOf(request, clock.now());
      refuseOthers(body, seatEdits[body.op]);
      const page = pageOf(query);
      const preview = await namedInBody(body, () => previewEdit(database, door, readSeatEdit(body), page));
      return reply.send(showSeatPreview(preview, query));
    },
  );
}
