import { randomBytes } from 'node:crypto'
import { type Answer, refusal, succeeded } from './answers.js'
import type { FakeWeChatApp, User } from './people.js'
import type { SessionKeys } from './session-keys.js'
import type { FakeWeChatRequest } from './transports.js'

const lifeSeconds = 3600
const keysKept = 3

interface EncryptKey {
  readonly text: string
  readonly iv: string
  readonly version: number
  readonly createdAt: number
}

/** `getuserencryptkey`, by GET and by POST: keys for what client and server encrypt themselves. */
export function createEncryptKeys({
  sessionKeys,
  now,
}: {
  sessionKeys: SessionKeys
  now: () => number
}) {
  const keys = new Map<User, readonly EncryptKey[]>()

  /** Newest first. A new key is created on request, if the last one has expired. */
  function keysOf(user: User, at: number): readonly EncryptKey[] {
    const known = keys.get(user) ?? []
    const [newest] = known
    if (newest && newest.createdAt + lifeSeconds > at) return known
    const key = {
      text: randomBytes(16).toString('base64'),
      // 16 characters that are used as they are; not base64.
      iv: randomBytes(8).toString('hex'),
      version: (newest?.version ?? 0) + 1,
      createdAt: at,
    }
    const kept = [key, ...known].slice(0, keysKept)
    keys.set(user, kept)
    return kept
  }

  function getuserencryptkey(request: FakeWeChatRequest, app: FakeWeChatApp): Answer {
    const signer = sessionKeys.signerOf(request, app)
    if (typeof signer === 'number') return refusal(signer)
    const at = Math.floor(now() / 1000)
    return {
      ...succeeded,
      key_info_list: keysOf(signer, at).map(({ text, iv, version, createdAt }) => ({
        encrypt_key: text,
        version,
        expire_in: Math.max(0, createdAt + lifeSeconds - at),
        iv,
        create_time: createdAt,
      })),
    }
  }

  return {
    endpoints: {
      'GET /wxa/business/getuserencryptkey': getuserencryptkey,
      'POST /wxa/business/getuserencryptkey': getuserencryptkey,
    },
  }
}
