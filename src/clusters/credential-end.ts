import { X509Certificate } from 'node:crypto';
import type { CredentialEnd } from '../model/source.ts';
import { UserError } from '../model/user-error.ts';
import { type KubeconfigContext, pem } from './kubeconfig.ts';

/**
 * When the credential of a context's user ends; undefined for one that renews itself (a plugin, OIDC, a token file) and
 * for one that does not tell. A client certificate counts only where it is what the user logs in with.
 */
export async function credentialEnd({
  user,
  userName,
  userFolder,
}: KubeconfigContext): Promise<CredentialEnd | undefined> {
  if (user.exec || user['auth-provider'] || user.tokenFile || user.username) return undefined;
  if (user.token) {
    const expires = tokenEnd(String(user.token));
    return expires === '' ? undefined : { kind: 'token', user: userName, expires };
  }
  // What cannot be read has been refused where the credentials were made.
  const certificate = await pem({ value: user, folder: userFolder }, 'client-certificate', why => new UserError(why));
  const expires = certificateEnd(certificate ?? '');
  return expires === '' ? undefined : { kind: 'client certificate', user: userName, expires };
}

function certificateEnd(certificate: string): string {
  try {
    return new Date(new X509Certificate(certificate).validTo).toISOString();
  } catch {
    return '';
  }
}

/** Of a JSON web token; '' for any other kind of token, and for one without an end. */
function tokenEnd(token: string): string {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof exp === 'number' ? new Date(exp * 1000).toISOString() : '';
  } catch {
    return '';
  }
}
