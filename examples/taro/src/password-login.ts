import type { WxResponse } from '@wxlogin/client'
import type { Backend } from '@wxlogin/client/backend'

interface Answer {
  readonly code?: number
  readonly msg?: string
  readonly data?: {
    readonly accessToken: string
    readonly refreshToken: string
    readonly expiresIn: number
    readonly user?: { readonly id: number; readonly name: string }
  }
}

/** What the form sends: `client.login({ input: form })`. A type, because an interface may grow, and is no JSON. */
export type Form = {
  readonly username: string
  readonly password: string
}

/** How the backend logs in where there is no WeChat: by a password that the page asks for, never silently. */
export const passwordLogin: Backend<Answer, Form> = {
  needsCode: () => false,
  login: ({ input }) =>
    input ? { url: '/auth/login', data: input } : { refused: 'login_required' },
  refresh: ({ refreshToken }) => ({ url: '/auth/refresh', data: { refreshToken } }),
  logout: () => ({ url: '/auth/logout' }),
  tokens({ data: { code, data } }) {
    if (code === 0 && data) {
      const { accessToken, refreshToken, expiresIn, user } = data
      return {
        accessToken,
        refreshToken,
        expiresIn,
        ...(user && { userId: user.id, data: { name: user.name } }),
      }
    }
    if (code === 401) return { refused: 'expired' }
    return code === 1001 ? { refused: 'wrong_password', scope: 'attempt' } : undefined
  },
}

export const isUnauthorized = ({ data }: WxResponse) => (data as Answer | null)?.code === 401

export function unwrap({ data }: WxResponse): unknown {
  const answer = data as Answer
  if (answer.code !== 0) throw new Error(answer.msg)
  return answer.data
}
