import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

/** What came back. */
export interface Reply {
  readonly status: number
  readonly retryAfter: string | undefined
  /** Missing if it was too large. */
  readonly body: Uint8Array | undefined
}

/** Sends one request. Rejects if no whole answer came. */
export type Send = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
) => Promise<Reply>

/** What has to be said fits many times over. */
const maxReplyBytes = 64 * 1024

/** Keeps connections open, follows no redirect, and never talks to anybody whose certificate is wrong. */
export function createSender(): { readonly send: Send; close(): void } {
  const settings = { keepAlive: true, maxFreeSockets: 64, scheduling: 'lifo' } as const
  const http = new HttpAgent(settings)
  // Whatever the environment says.
  const https = new HttpsAgent({ ...settings, rejectUnauthorized: true })

  return {
    send(url, headers, body, signal) {
      const isTls = url.startsWith('https:')
      return new Promise((resolve, reject) => {
        const options = { method: 'POST', headers, signal, agent: isTls ? https : http }
        const request = (isTls ? httpsRequest : httpRequest)(url, options, (response) => {
          readReply(response).then(resolve, reject)
        })
        request.on('error', reject)
        request.end(body)
      })
    },

    close() {
      http.destroy()
      https.destroy()
    },
  }
}

async function readReply(response: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = []
  let bytes = 0
  // Leaving the loop early ends the connection.
  for await (const chunk of response) {
    bytes += chunk.length
    if (bytes > maxReplyBytes) break
    chunks.push(chunk)
  }
  return {
    status: response.statusCode ?? 0,
    retryAfter: response.headers['retry-after'],
    body: bytes > maxReplyBytes ? undefined : Buffer.concat(chunks),
  }
}
