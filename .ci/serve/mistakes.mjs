// Ten mistakes that people make in the settings, and what is printed for each.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../process.mjs'

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const appSecret = randomBytes(16).toString('hex')
const good = {
  LANG: 'en_US.UTF-8',
  WX_APP_ID: 'wx1234567890abcdef',
  WX_APP_SECRET: appSecret,
  WXLOGIN_SECRET: randomBytes(48).toString('base64url'),
  WXLOGIN_KEY: JSON.stringify(privateKey.export({ format: 'jwk' })),
  REDIS_URL: 'redis://127.0.0.1:6379',
}
const webhookSecret = `whsec_${randomBytes(32).toString('base64')}`

/** What is wrong, the settings, and what has to be said. */
const mistakes = [
  ['no signing key', { WXLOGIN_KEY: '' }, 'wxlogin keygen --jwk ES256'],
  ['no store', { REDIS_URL: '' }, 'set REDIS_URL or DATABASE_URL'],
  ['two stores', { DATABASE_URL: 'postgres://db/login' }, 'are both set'],
  [
    'a secret that is not mounted',
    { WX_APP_SECRET: '', WX_APP_SECRET_FILE: '/run/secrets/app' },
    'cannot be read',
  ],
  ['the AppSecret as secret', { WXLOGIN_SECRET: appSecret }, 'secret must not be the AppSecret'],
  [
    'a duration with a unit',
    { WXLOGIN_ACCESS_TTL_SECONDS: '15m' },
    'accessTtlSeconds must be a positive whole number',
  ],
  ['a slip in a name', { WXLOGIN_TRUSTED_PROXYS: '1' }, 'did you mean WXLOGIN_TRUSTED_PROXIES?'],
  [
    'http through the internet',
    {
      WXLOGIN_WEBHOOKS_ON_LOGIN: 'http://api.example.com/hook',
      WXLOGIN_WEBHOOKS_SECRET: webhookSecret,
    },
    'webhooks.onLogin must use https',
  ],
  [
    'a webhook that is not signed',
    { WXLOGIN_WEBHOOKS_ON_LOGIN: 'http://backend:8090/hook' },
    'webhooks.secret is missing',
  ],
  [
    'a hook as in createAuth',
    { file: { onLogin: 'http://backend:8090/hook' } },
    'webhooks.onLogin in its place',
  ],
]

/** Resolves with what was not as it must be. */
export async function checkMistakes({ program, place }) {
  const wrong = []
  for (const [index, [title, { file, ...changed }, says]] of mistakes.entries()) {
    const cwd = join(place, `mistake-${index}`)
    mkdirSync(cwd)
    if (file) writeFileSync(join(cwd, 'wxlogin.json'), JSON.stringify(file))
    const env = { PATH: process.env.PATH, ...good, ...changed }
    const { status, output } = await run(process.execPath, [program, 'serve'], { cwd, env })
    console.log(`\n${index + 1}. ${title} (exit ${status})\n${output.trimEnd()}`)
    if (status !== 1) wrong.push(`${title}: exit ${status}`)
    if (!output.includes(says)) wrong.push(`${title}: it does not say "${says}"`)
    for (const secret of [appSecret, good.WXLOGIN_SECRET, webhookSecret]) {
      if (output.includes(secret)) wrong.push(`${title}: it shows a secret`)
    }
  }
  return wrong
}
