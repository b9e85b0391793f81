// As the README's quick start shows, with default options; `isFitted`: and with what this backend needs.
import { createClient } from '@wxlogin/client/full'

const client = createClient({
  baseUrl: 'https://api.example.com',
  ...(isFitted && {
    isUnauthorized: ({ data }) => data?.code === 401,
    loginTimeoutMs: 20_000,
  }),
})

export const request = (url) => client.request({ url }).then(({ data }) => data)
export const login = (options) => client.login(options)
export const logout = (options) => client.logout(options)
