const { createClient } = require('@wxlogin/client')

Page({ client: createClient({ baseUrl: 'https://api.example.com' }) })
