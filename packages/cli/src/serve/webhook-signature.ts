import { createHmac } from 'node:crypto'

/** The secret of webhooks as it is written: `whsec_` and 24 to 64 bytes in base64 (Standard Webhooks 1.0, "Signature scheme"). */
export function readWebhookSecret(text: unknown): Uint8Array | undefined {
  const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(String(text)) ?? []
  const key = Buffer.from(base64, 'base64')
  // What is not base64 to its end is read all the same.
  const isWhole = key.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '')
  return isWhole && key.length >= 24 && key.length <= 64 ? key : undefined
}

/** What one attempt is signed with; by every secret there is, so that each side may change first. */
export function signatureHeaders(
  secrets: readonly Uint8Array[],
  { id, sentAt, body }: { readonly id: string; readonly sentAt: number; readonly body: string },
): Readonly<Record<string, string>> {
  const signed = `${id}.${sentAt}.${body}`
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`,
  )
  return {
    'webhook-id': id,
    'webhook-timestamp': String(sentAt),
    'webhook-signature': signatures.join(' '),
  }
}
