import {
  ClientError,
  type ClientErrorCode,
  type ClientEvent,
  createClient,
  type Session,
  type Wx,
} from '../../src/index.js'

interface Profile {
  readonly name: string
}

declare const wx: Wx

const client = createClient<Profile>({
  baseUrl: 'https://api.example.com',
  wx,
  loginInput: () => ({ inviter: 'x' }),
  onEvent: (event: ClientEvent) => event.type === 'login' && event.durationMs,
})

export async function use(): Promise<ClientErrorCode | undefined> {
  const session: Session<Profile> | undefined = await client.launch({ scene: 1001 })
  const name: string | undefined = session?.data?.name
  const task = client.request<{ id: string }[]>({ url: `/orders/${name}`, auth: 'optional' })
  task.onChunkReceived(({ data }) => data.byteLength)
  try {
    const { data, statusCode } = await task
    const id: string | undefined = data[0]?.id
    // @ts-expect-error the status is a number
    const text: string = statusCode
    return id === text ? undefined : 'http'
  } catch (error) {
    return error instanceof ClientError ? error.code : undefined
  }
}

// @ts-expect-error WeChat has no PATCH
client.request({ url: '/', method: 'PATCH' })
// @ts-expect-error no callbacks: the promise tells
client.request({ url: '/', success() {} })
// A backend's own code can be asked for.
export const isMine = (error: ClientError): boolean => error.code === 'mine'
export const own: ClientErrorCode = 'mine'
// @ts-expect-error a code is a text
export const code: ClientErrorCode = 404
// @ts-expect-error there is no option for an AppSecret
createClient({ baseUrl: 'https://api.example.com', appSecret: '' })
