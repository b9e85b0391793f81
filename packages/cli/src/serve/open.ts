import { type Auth, type AuthEvent, createAuth } from '@wxlogin/server'
import type { Text } from '../text.js'
import type { Config } from './config.js'
import { type OpenStore, openStore } from './store.js'
import { createSender } from './webhook-call.js'
import { createWebhooks } from './webhooks.js'

/** What an operator may not have meant. */
export const withoutLoginWebhook: Text = {
  en: 'webhooks.onLogin is not set: each account gets an opaque user id of its own, and another one once it is set',
  zh: '没有设置 webhooks.onLogin：每个账号得到一个不透明的用户 id，以后设置了它，id 会变',
}

/** A login with its store and its webhooks; what it listens to is not part of it. */
export interface OpenLogin {
  readonly auth: Auth
  readonly migrate: OpenStore['migrate']
  close(): Promise<void>
}

export interface LoginNeeds {
  readonly now: () => number
  readonly onEvent: (event: AuthEvent) => void
  /** Told of broken connections to the store. */
  readonly onError: (error: Error) => void
}

export async function openLogin(
  { auth: options, store: place, webhooks }: Config,
  { now, onEvent, onError }: LoginNeeds,
): Promise<OpenLogin> {
  const { store, migrate, close } = await openStore(place, { now, onError })
  const sender = createSender()
  const auth = createAuth({
    ...options,
    ...(store && { store }),
    ...createWebhooks({ ...webhooks, send: sender.send, now }),
    now,
    onEvent,
  })
  return {
    auth,
    migrate,
    async close() {
      sender.close()
      await auth.close()
      await close()
    },
  }
}
