// As the README's quick start shows, with default options.
import { createClient } from '@wxlogin/client/full'

const client = createClient({ baseUrl: 'https://api.example.com' })

export const request = (url) => client.request({ url }).then(({ data }) => data)
