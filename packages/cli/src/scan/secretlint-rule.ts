import type { SecretLintRuleCreator } from '@secretlint/types'
import { type LeakKind, leaksIn } from './findings.js'
import { leakTexts } from './leak-texts.js'

const messages = {
  app_secret: translations('app_secret'),
  session_key: translations('session_key'),
  private_key: translations('private_key'),
  wechat_call: translations('wechat_call'),
  possible_app_secret: translations('possible_app_secret'),
}

export interface RuleOptions {
  /** Reports what could be an AppSecret and need not be one, too (default false). */
  readonly possible?: boolean
}

/**
 * A rule for secretlint: finds AppSecrets, session_keys, private keys and calls of WeChat's server APIs in what a mini
 * program ships. No message holds what was found.
 *
 * @example
 * // .secretlintrc.json
 * { "rules": [{ "id": "wxlogin/secretlint-rule" }] }
 */
export const creator: SecretLintRuleCreator<RuleOptions> = {
  messages,
  meta: {
    id: 'wxlogin/secretlint-rule',
    type: 'scanner',
    recommended: true,
    supportedContentTypes: ['text'],
    docs: { url: 'https://github.com/wxlogin/wxlogin/tree/main/packages/cli' },
  },
  create(context, { possible = false } = {}) {
    const t = context.createTranslator(messages)
    return {
      file({ content, ext }) {
        for (const { kind, range } of leaksIn(content, { isProgram: programs.has(ext) })) {
          if (kind === 'possible_app_secret' && !possible) continue
          context.report({ message: t(kind), range })
        }
      },
    }
  },
}

/** Where comments are no part of what runs. */
const programs: ReadonlySet<string> = new Set(
  ['js', 'cjs', 'mjs', 'jsx', 'ts', 'cts', 'mts', 'tsx', 'wxs', 'wxml', 'html', 'vue'].flatMap(
    (ext) => [ext, `.${ext}`],
  ),
)

function translations(kind: LeakKind) {
  return { en: () => leakTexts[kind].en, 'zh-CN': () => leakTexts[kind].zh }
}
