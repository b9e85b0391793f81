import { randomBytes } from 'node:crypto'
import { type Answer, type Fields, refusal, succeeded, withFields } from './answers.js'
import { createCodes } from './codes.js'
import { type FakeWeChatApp, type FakeWeChatAppChoice, identifier, type People } from './people.js'

/** Picks a plugin by `appId`, its own AppID (default the first of the apps). */
export interface FakeWeChatPluginChoice extends FakeWeChatAppChoice {
  /** The mini program that the plugin runs in (default the plugin's own). */
  readonly hostAppId?: string
}

/** Plugins: `wx.pluginLogin()`, and `POST /wxa/getpluginopenpid`. */
export interface FakeWeChatPlugins {
  /** What `wx.pluginLogin()` gives this person: a code of its own kind that works once and for 5 minutes. */
  pluginCodeFor(person: string, choice?: FakeWeChatPluginChoice): string
  /** The openpid that a plugin's backend gets for this person: one per person, host and plugin. */
  openpidOf(person: string, choice?: FakeWeChatPluginChoice): string
}

export function createPlugins({ people, now }: { people: People; now: () => number }) {
  const codes = createCodes<{ readonly openpid: string }>(now, () =>
    randomBytes(32).toString('hex'),
  )

  const methods: FakeWeChatPlugins = {
    pluginCodeFor: (person, choice) =>
      codes.issue(people.userOf(person, choice), { openpid: methods.openpidOf(person, choice) }),

    openpidOf(nameOrOpenid, choice) {
      const { app, person } = people.userOf(nameOrOpenid, choice)
      return identifier('G', 'openpid', app.appId, choice?.hostAppId ?? app.appId, person)
    },
  }

  function getpluginopenpid(fields: Fields, app: FakeWeChatApp): Answer {
    if (typeof fields.code !== 'string' || fields.code === '') return refusal(1001)
    const code = codes.find(fields.code)
    if (!code || code.isUsed) return refusal(1007)
    if (code.user.app !== app) return refusal(1005)
    code.isUsed = true
    return { ...succeeded, openpid: code.details.openpid }
  }

  return {
    methods,
    endpoints: {
      'POST /wxa/getpluginopenpid': withFields(getpluginopenpid, { malformed: 1022 }),
    },
  }
}
