// Compiled as a mini program without any typings against the tarball, with every check on.
import { ClientError, createClient } from '@wxlogin/client'
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

export const fake = createFakeWx()
