/** The tables of the OpenID provider, as migrations/0028_openid_provider.ts makes them. */

import type { Json, Time } from './tables.ts';

export interface OpenIdTables {
  openid_clients: {
    tenant_id: string;
    id: string;
    name: string;
    secret_hash: string;
    redirect_uris: string[];
    post_logout_redirect_uris: string[];
    backchannel_logout_uri: string | null;
    created_at: Time;
  };
  openid_artefacts: {
    id_hash: string;
    model: string;
    tenant_id: string | null;
    session_hash: string | null;
    client_id: string | null;
    grant_hash: string | null;
    payload: Json<unknown>;
    consumed_at: Time | null;
    expires_at: Time;
  };
  openid_keys: {
    purpose: 'signing' | 'cookies';
    generation: number;
    kid: string;
    sealed: Buffer;
    signs_from: Time;
  };
  openid_sign_ins: {
    tenant_id: string;
    session_hash: string;
    client_id: string;
    sid: string;
    user_id: string;
  };
  openid_logouts: {
    tenant_id: string;
    id: string;
    client_id: string;
    user_id: string;
    sid: string;
    tries: number;
    next_at: Time;
  };
}
