/**
 * Whether JSON has a whole number beyond 2^53 outside of its texts, which is another one once it is read: an id of 19
 * digits would be somebody else's.
 */
export function hasRoundedNumber(json: string): boolean {
  const rest = json.replace(/"(?:[^"\\]+|\\.)*"/g, '')
  const whole = rest.match(/(?<![\d.eE+-])-?\d+(?![\d.eE])/g) ?? []
  return whole.some((digits) => !Number.isSafeInteger(Number(digits)))
}
