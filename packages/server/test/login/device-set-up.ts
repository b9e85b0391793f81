import type { AuthOptions } from '../../src/index.js'
import { bodyOf, send } from '../http/set-up.js'
import { type SetUp, setUp } from '../set-up.js'

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Readonly<Record<string, string>>
}

/** A backend that lets devices in, a phone that is signed in at it, and a PC that speaks to its routes. */
export async function setUpPhone(options: Partial<AuthOptions> = {}) {
  const parts = setUp({ onLogin: () => ({ userId: 7 }), deviceGrant: {}, ...options })
  const phone = await parts.auth.login({ code: parts.wechat.codeFor('alice') })
  return { ...parts, phone, ...clientsOf(parts, phone.access_token) }
}

export function clientsOf({ auth }: Pick<SetUp, 'auth'>, accessToken: string) {
  const authorization = { authorization: `Bearer ${accessToken}` }
  const ask = async (path: string, sent: Parameters<typeof send>[2]): Promise<Answer> => {
    const response = await send(auth, path, sent)
    const { status, headers, body } = response
    return { status, headers, body: body === undefined ? {} : bodyOf(response) }
  }
  return {
    start: async (body: object = {}, headers = {}) => {
      const answer = await ask('/device', { body, headers })
      const {
        device_code: deviceCode = '',
        scene = '',
        number = '',
      } = answer.body as Record<string, string>
      return { ...answer, deviceCode, scene, number }
    },
    look: (scene: string) =>
      ask(`/device?scene=${scene}`, { method: 'GET', headers: authorization }),
    decide: (scene: string, approve: unknown = true, more: object = {}) =>
      ask('/device/decision', { headers: authorization, body: { scene, approve, ...more } }),
    poll: (device_code: string, key = 'one-key-for-all-polls-'.padEnd(22, '-')) =>
      ask('/device/token', { headers: { 'Idempotency-Key': key }, body: { device_code } }),
  }
}
