import { listOf } from '../collector.ts';
import { list, text } from '../objects.ts';

export const collector = listOf({
  id: 'kubernetes.certificate-signing-requests',
  about: 'Requests for certificates, and which of them wait.',
  group: 'certificates.k8s.io',
  resource: 'certificatesigningrequests',
  kind: 'CertificateSigningRequest',
  fields: {
    signer: 'str',
    requester: 'str',
    /** pending, approved, denied, failed or issued */
    state: 'str',
  },
  row({ spec, status }) {
    const types = list(status?.conditions).map(condition => text(condition?.type));
    const decided = types.includes('Denied') ? 'denied' : types.includes('Failed') ? 'failed' : 'pending';
    const approved = status?.certificate ? 'issued' : 'approved';
    return {
      signer: text(spec?.signerName),
      requester: text(spec?.username),
      state: decided === 'pending' && types.includes('Approved') ? approved : decided,
    };
  },
});
