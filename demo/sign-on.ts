/** Single sign-on for the people of a recording: an identity provider on loopback, and the demo tenant's connection to it. */

import type { Api } from './api.ts';
import type { Conversation } from './conversation.ts';
import { askPage, peopleOf } from './identity-provider/people.ts';
import { type IdpPerson, samlpAttributes, startSamlProvider } from './identity-provider/server.ts';
import type { Story } from './story.ts';
import type { DemoTenant } from './tenant.ts';

export interface SignOn {
  /** What people choose at the gateway. */
  name: string;
  people: readonly IdpPerson[];
  stop(): Promise<void>;
}

const names: Record<Story['tenant']['directory'], string> = { okta: 'Okta (demo)', entra: 'Entra (demo)' };

/** Whoever signs in is found by the externalId that the recording pushes. */
export async function startSignOn(
  api: Api,
  { slug, directories }: DemoTenant,
  { steps, story }: Pick<Conversation, 'steps'> & { story: Story },
): Promise<SignOn> {
  const { directory } = story.tenant;
  const name = names[directory];
  const people = peopleOf({ steps });
  let acsUrl = '';
  const provider = await startSamlProvider({
    entityId: `urn:blue-gateway:demo:${directory}`,
    acsOf: () => acsUrl,
    whoIs: (query) => people.find(({ id }) => id === query.person) ?? askPage(name, people, query),
  });
  ({ acsUrl } = await api.post<{ acsUrl: string }>(`/tenants/${slug}/connections`, {
    protocol: 'saml',
    name,
    metadataXml: provider.metadataXml,
    directoryId: directories[directory].id,
    jit: { attributes: { ...samlpAttributes, externalId: samlpAttributes.subject } },
  }));
  const stop = async () => {
    await provider.close();
  };
  return { name, people, stop };
}
