import { weaknessOf } from '@wxlogin/server'
import type { Inspection } from './inspection.js'
import { readWebhookSecret } from './webhook-signature.js'
import { wrongInWebhookUrl } from './webhook-url.js'
import { hookNames, type WebhookOptions } from './webhooks.js'

const hooks = hookNames.map((hook) => `webhooks.${hook}` as const)

/** Where webhooks go, and what they are signed with. What is wrong is reported. */
export function readWebhookSettings({
  get,
  complain,
  isBroken,
}: Inspection): Pick<WebhookOptions, 'urls' | 'secrets'> {
  const urls = hookNames.flatMap((hook): [string, string][] => {
    const name = `webhooks.${hook}` as const
    const url = get(name)
    if (url === undefined) return []
    const wrong = wrongInWebhookUrl(url)
    if (wrong) complain(name, wrong)
    return [[hook, String(url)]]
  })
  const given = [get('webhooks.secret') ?? []].flat()
  const secrets = given.map(readWebhookSecret).filter((secret) => secret !== undefined)
  if (urls.length > 0 && given.length === 0 && !isBroken('webhooks.secret')) {
    complain('webhooks.secret', {
      en: 'is missing: by it your backend knows who is calling. Make one with `wxlogin keygen --webhook`',
      zh: '没有设置：你的后端靠它确认调用方。用 `wxlogin keygen --webhook` 生成',
    })
  }
  if (secrets.length < given.length) {
    complain('webhooks.secret', {
      en: 'must be whsec_ and 24 to 64 bytes in base64, or a list of such; make one with `wxlogin keygen --webhook`',
      zh: '必须是 whsec_ 加 24 到 64 字节的 base64，或由它们组成的列表；用 `wxlogin keygen --webhook` 生成',
    })
  } else if (given.some((text) => weaknessOf(String(text).slice('whsec_'.length)) !== undefined)) {
    complain('webhooks.secret', {
      en: 'can be guessed; make one with `wxlogin keygen --webhook`',
      zh: '可以被猜到；用 `wxlogin keygen --webhook` 生成',
    })
  } else if (given.length > 0 && urls.length === 0 && !hooks.some(isBroken)) {
    complain('webhooks.secret', {
      en: 'is set, and no webhook is: set webhooks.onLogin to where your backend answers',
      zh: '已设置，却没有任何 webhook：请把 webhooks.onLogin 设为后端的地址',
    })
  }
  return { urls: Object.fromEntries(urls), secrets }
}
