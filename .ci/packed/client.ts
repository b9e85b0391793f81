// Compiled as a mini program without any typings against the tarball, with every check on.
import { ClientError, createClient } from '@wxlogin/client'
import { type Backend, createTranslator } from '@wxlogin/client/backend'
import { explain } from '@wxlogin/client/explain'
import { createClient as createFullClient, type PhoneEvent } from '@wxlogin/client/full'
import { createFakeWx } from '@wxlogin/client/testing'

interface Order {
  readonly id: number
}

export const client = createClient<{ readonly nickname: string }>({
  baseUrl: 'https://api.example.com',
  authPath: '/wx',
})

export function orders(): Promise<readonly Order[]> {
  return client.request<Order[]>({ url: '/orders' }).then(({ data }) => data)
}

export function nickname(): string | undefined {
  return client.session()?.data?.nickname
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof ClientError ? error.code : undefined
}

export function textOf(error: unknown): string {
  return explain(error).zh
}

export const fake = createFakeWx()

const backend: Backend<{ readonly token?: string }> = {
  login: ({ code }) => ({ url: '/login', data: { code } }),
  tokens: ({ data: { token } }) => (token ? { accessToken: token } : undefined),
}

export const elsewhere = createClient({
  baseUrl: 'https://api.example.com',
  wx: createTranslator({ wx: fake, baseUrl: 'https://api.example.com', backend }),
})

export const everything = createFullClient<{ readonly nickname: string }>({
  container: { env: 'prod-1', service: 'shop' },
})

export function avatar(filePath: string): Promise<string> {
  return everything
    .uploadFile<{ readonly url: string }>({
      url: 'https://cdn.example.com',
      filePath,
      name: 'avatar',
    })
    .then(({ data }) => data.url)
}

export function phoneNumber(event: PhoneEvent): Promise<string> {
  return everything.bindPhone(event).then(({ phoneNumber }) => phoneNumber)
}
