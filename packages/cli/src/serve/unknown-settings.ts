import { nearest } from '../nearest.js'
import type { Text } from '../text.js'
import { codeOptions, settingNames, variableOf } from './setting-names.js'

const knownVariables = [
  ...settingNames.map(variableOf),
  // Of the command itself, and what keygen prints for others.
  ...['WXLOGIN_CONFIG', 'WXLOGIN_PUBLIC_KEY'],
]

/** What to say of a member of the settings file that is no setting. */
export function unknownName(name: string): Text | undefined {
  if ((settingNames as readonly string[]).includes(name)) return undefined
  if (Object.hasOwn(codeOptions, name)) return ofCode(name, codeOptions[name])
  const meant = nearest(name, settingNames)
  return {
    en: `${name} is no setting; ${meant ? `did you mean ${meant}?` : 'see wxlogin serve --help'}`,
    zh: `没有 ${name} 这个设置，${meant ? `是不是 ${meant}？` : '见 wxlogin serve --help'}`,
  }
}

/** What to say of a variable that is no setting, though its name says so. */
export function unknownVariable(variable: string, value: string | undefined): Text | undefined {
  if (!/^WXLOGIN_/.test(variable) || isOfKubernetes(variable, value)) return undefined
  if (knownVariables.includes(variable.replace(/_FILE$/, ''))) return undefined
  const meant = nearest(variable.replace(/_(PORT|HOST|ADDRESS)$/, '_LISTEN'), knownVariables)
  return {
    en: `${variable} is no setting${meant ? `; did you mean ${meant}?` : ''}`,
    zh: `没有 ${variable} 这个设置${meant ? `，是不是 ${meant}？` : ''}`,
  }
}

/** What it puts beside every container: for a service that is called wxlogin, `WXLOGIN_PORT` with an address is one. */
const isOfKubernetes = (variable: string, value = ''): boolean =>
  /_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/.test(variable) ||
  (/_PORT$/.test(variable) && /^\w+:\/\//.test(value))

function ofCode(name: string, instead: string | undefined): Text {
  if (instead) {
    return {
      en: `${name} is code in createAuth; a service has ${instead} in its place`,
      zh: `${name} 在 createAuth 里是代码，服务里请用 ${instead}`,
    }
  }
  return {
    en: `${name} is code in createAuth, and cannot be set in a service`,
    zh: `${name} 在 createAuth 里是代码，服务里不能设置`,
  }
}
