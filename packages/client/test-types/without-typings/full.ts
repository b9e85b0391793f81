import {
  type BoundPhone,
  type Client,
  ClientError,
  type ClientOptions,
  createClient,
  type Download,
  type Wx,
} from '../../src/full.js'

interface Profile {
  readonly name: string
}

declare const wx: Wx

const client: Client<Profile> = createClient<Profile>({
  container: { env: 'prod-1', service: 'shop' },
  wx,
})

export async function use(code: string): Promise<string | undefined> {
  const { data } = await client.uploadFile<{ id: string }>({
    url: 'https://cdn.example.com/photos',
    filePath: 'a',
    name: 'photo',
    auth: 'optional',
  })
  const download: Download = await client.downloadFile({ url: 'https://cdn.example.com/a' })
  const socket = await client.connectSocket({
    url: 'wss://push.example.com/ws',
    onReopen: (reason) => reason === 'user_changed',
  })
  socket.send({ data: download.tempFilePath ?? '' })
  const called = await client.callContainer<{ total: number }>({ path: '/total', timeout: 1_000 })
  const phone: BoundPhone<Profile> = await client.bindPhone({ detail: { code } })
  const list: string[] | undefined = client.prefetched<string[]>()
  // @ts-expect-error the total is a number
  const text: string = called.data.total
  return phone.session?.data?.name ?? list?.[0] ?? data.id + text
}

export function isOver(error: unknown): boolean {
  return error instanceof ClientError && error.code === 'phone_quota'
}

// @ts-expect-error neither baseUrl nor container
createClient({})
// @ts-expect-error one of the two
createClient({ baseUrl: 'https://api.example.com', container: { env: 'prod-1', service: 'shop' } })
// @ts-expect-error a container is an environment and a service
export const options: ClientOptions = { container: { env: 'prod-1' } }
// @ts-expect-error a file has a path
client.uploadFile({ url: '/photos', name: 'photo' })
// @ts-expect-error no callbacks: the promise tells
client.downloadFile({ url: '/a', success() {} })
