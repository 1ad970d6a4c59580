/** The threads of a gateway that verify what is posted, for logins and logouts: they end with it. */

import type { FastifyInstance } from 'fastify';
import { SamlVerifier } from './saml-verifier-client.ts';

export function installVerifier(scope: FastifyInstance): SamlVerifier {
  const verifier = new SamlVerifier();
  // By then all that was asked is answered: no verification is under way.
  scope.addHook('onClose', () => verifier.stop());
  return verifier;
}
