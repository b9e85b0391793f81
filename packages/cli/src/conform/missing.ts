import { missingIn } from './compare.js'
import type { Send, Step, Template } from './scenario.js'
import type { Values } from './values.js'

/** The first reference of a step that stands for nothing, because what it refers to went wrong. */
export function missingOf(step: Step, values: Values): string | undefined {
  if ('send' in step) return missingOfSend(step, values)
  if ('together' in step) {
    return step.together.map((one) => missingOfSend(one, values)).find((one) => one !== undefined)
  }
  if ('forge' in step) return values.missing([step.from, step.keys ?? ''])
  if ('token' in step) return values.missing([step.token, step.keys])
  if ('revoke' in step) return values.missing(step.revoke)
  if ('seconds' in step) return values.missing(step.seconds)
  return undefined
}

function missingOfSend(
  { send, body, text, key, headers, expect = [] }: Send,
  values: Values,
): string | undefined {
  const templates: Template[] = [send, body ?? '', text ?? '', key ?? '', { ...headers }]
  const inExpected = expect.map(({ members }) => missingIn(members, values))
  return values.missing(templates) ?? inExpected.find((one) => one !== undefined)
}
