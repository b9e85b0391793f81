import { type ClientOptions, createClient, type WxResponse } from '../../src/index.js'

const baseUrl = 'https://api.example.com'

export const fitting: readonly ClientOptions[] = [
  { baseUrl, headers: { 'tenant-id': '7' } },
  { baseUrl, headers: () => ({ 'tenant-id': '7' }) },
  { baseUrl, silent: false },
  { baseUrl, unwrap: ({ data }: WxResponse) => data, unwrapAuth: true },
]

// @ts-expect-error a header is a text
createClient({ baseUrl, headers: { 'tenant-id': 7 } })
// @ts-expect-error and so is one that is made
createClient({ baseUrl, headers: () => ({ 'tenant-id': 7 }) })
// @ts-expect-error headers are made in the same turn
createClient({ baseUrl, headers: async () => ({ 'tenant-id': '7' }) })
// @ts-expect-error no list of pairs
createClient({ baseUrl, headers: [['tenant-id', '7']] })
// @ts-expect-error yes or no
createClient({ baseUrl, silent: 'false' })
// @ts-expect-error likewise
createClient({ baseUrl, unwrapAuth: 'true' })

type IsSame<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

const client = createClient({ baseUrl })
// Exactly these: a promise of anything wider would fail.
export const isToken: IsSame<ReturnType<typeof client.token>, Promise<string>> = true
export const isRefused: IsSame<ReturnType<typeof client.refused>, Promise<string>> = true
export const takesToken: IsSame<Parameters<typeof client.refused>, [token: string]> = true
// @ts-expect-error it has to be said which token was refused
client.refused()
