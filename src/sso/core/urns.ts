/** Names that SAML 2.0 and XML Signature are made of, and the algorithms that are accepted. */

export const protocolNs = 'urn:oasis:names:tc:SAML:2.0:protocol';
export const assertionNs = 'urn:oasis:names:tc:SAML:2.0:assertion';
export const metadataNs = 'urn:oasis:names:tc:SAML:2.0:metadata';
export const signatureNs = 'http://www.w3.org/2000/09/xmldsig#';
export const exclusiveNs = 'http://www.w3.org/2001/10/xml-exc-c14n#';

export const encryptionNs = 'http://www.w3.org/2001/04/xmlenc#';
export const encryption11Ns = 'http://www.w3.org/2009/xmlenc11#';

export const successStatus = 'urn:oasis:names:tc:SAML:2.0:status:Success';
export const bearerMethod = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
export const redirectBinding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';
export const postBinding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST';
export const persistentFormat = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
export const transientFormat = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';

export const signatureMethods: readonly string[] = [
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
];
export const digestMethods: readonly string[] = [
  'http://www.w3.org/2001/04/xmlenc#sha256',
  'http://www.w3.org/2001/04/xmlenc#sha512',
];
export const canonicalization = exclusiveNs;
export const transforms: readonly string[] = [`${signatureNs}enveloped-signature`, exclusiveNs];

/** Taken from connections with `allowSha1` alone. */
export const sha1SignatureMethod = `${signatureNs}rsa-sha1`;
export const sha1DigestMethod = `${signatureNs}sha1`;
