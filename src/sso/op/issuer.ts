/** Where the OpenID provider is. */

export const issuerPath = '/oidc';

export function issuerOf(publicUrl: string): string {
  return `${publicUrl}${issuerPath}`;
}

export const cookieNames = {
  session: 'bgw_op',
  interaction: 'bgw_op_interaction',
  resume: 'bgw_op_resume',
};
