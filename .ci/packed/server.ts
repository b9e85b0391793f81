// Compiled as a user's program against the tarball, with every check on.
import {
  AuthError,
  type AuthErrorCode,
  createAuth,
  createMemoryStore,
  type Session,
} from '@wxlogin/server'
import * as cloudFunction from '@wxlogin/server/cloud-function'
import * as express from '@wxlogin/server/express'
import * as fetchAdapter from '@wxlogin/server/fetch'
import * as node from '@wxlogin/server/node'
import { createTelemetry } from '@wxlogin/server/telemetry'
import { createFakeWeChat, signIn, storeCases } from '@wxlogin/server/testing'
import { createWeChat, decryptOpenData, type OwnWeChat } from '@wxlogin/server/wechat'

export const wechat = createFakeWeChat()

export const auth = createAuth({
  apps: [wechat.app],
  secret: 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u',
  store: createMemoryStore(),
  fetch: wechat.fetch,
  onLogin: async ({ openid, unionid }, { input }) => ({
    userId: unionid ?? openid,
    data: { again: input !== undefined },
  }),
  claims: async ({ userId }) => ({ role: userId === '1' ? 'admin' : 'user' }),
})

// Where there is no @opentelemetry/api.
export const telemetry = createTelemetry({
  trace: {
    getTracer: () => ({ startSpan: () => ({ setStatus: () => undefined, end: () => undefined }) }),
  },
})
telemetry.observe(auth)

export const routes = [
  express.authRoutes(auth),
  node.authRoutes(auth, { basePath: '/wx' }),
  fetchAdapter.authRoutes(auth, { basePath: '/wx' }),
]

export const functions = {
  wx: cloudFunction.authRoutes(auth, { basePath: '/wx' }),
  me: cloudFunction.requireAuth(auth)((event: cloudFunction.FunctionEvent) => ({
    role: cloudFunction.sessionOf(event, auth).claims.role,
    path: event.path,
  })),
}

export const guard = express.requireAuth(auth, {
  allow: (session) => session.claims.role === 'admin',
})

export const alone: OwnWeChat = createWeChat({ ...wechat.app, fetch: wechat.fetch })

export async function openidOf(code: string): Promise<string> {
  const { openid, sessionKey } = await auth.wechat().code2Session(code)
  const isCurrent: boolean = await alone.checkSessionKey({ openid, sessionKey })
  return isCurrent ? openid : ''
}

export function encryptedAt(encryptedData: string, iv: string, sessionKey: string): number {
  const { appId } = wechat.app
  return decryptOpenData({ encryptedData, iv, sessionKey, appId }).watermark.timestamp
}

export function roleOf(request: object): string {
  return express.sessionOf(request, auth).claims.role
}

export async function who(
  authorization: string | undefined,
): Promise<Session<{ role: string }> | undefined> {
  return auth.authenticate(authorization, { optional: true })
}

export function codeOf(error: unknown): AuthErrorCode | undefined {
  return error instanceof AuthError ? error.code : undefined
}

export const signedIn = signIn(auth, { openid: 'openid-1', claims: { role: 'admin' } })
export const cases = storeCases
