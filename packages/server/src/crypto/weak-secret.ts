const words =
  /secrets?|passw(?:or)?d|change.?me|wx.?login|we.?chat|weixin|example|sample|placeholder|test(?:ing)?|admin|root|qwerty|asdf|your|please|replace|random|string|token|jwt|keyboard|cat|dev(?:elopment)?|prod(?:uction)?|default|demo|hello|world|super|very|long|this|that|key|the|and|not|for|app|is|my|at|least|bytes?|characters?/gi

/** Why somebody could guess a secret; see {@link weaknessOf}. */
export type SecretWeakness = 'short' | 'alike' | 'words' | 'not_a_secret'

/**
 * Why somebody could guess this `secret`: it is shorter than 32 bytes, too much of it is alike, it is made of words and
 * sequences, or it is a PEM or a JWK. `undefined` if there is nothing to be said. `createAuth` refuses some of these, and
 * emits the warning `weak_secret` for the others.
 */
export function weaknessOf(secret: string): SecretWeakness | undefined {
  if (Buffer.byteLength(secret) < 32) return 'short'
  if (/-----BEGIN|^\s*\{/.test(secret)) return 'not_a_secret'
  if (new Set(secret).size < 8 || /^(.{1,16}?)\1+.{0,15}$/s.test(secret)) return 'alike'
  const rest = secret.replace(words, '').replace(/[\s_.-]/g, '')
  return withoutSequences(rest).length < 22 ? 'words' : undefined
}

/** Without runs as on a keyboard: `123456`, `abcdef`, `987`. */
function withoutSequences(text: string): string {
  let kept = ''
  let run = ''
  let step = 0
  for (const letter of text) {
    const change = letter.charCodeAt(0) - run.charCodeAt(run.length - 1)
    if (run !== '' && Math.abs(change) <= 1 && (run.length === 1 || change === step)) {
      step = change
      run += letter
    } else {
      kept += run.length > 3 ? '' : run
      run = letter
    }
  }
  return kept + (run.length > 3 ? '' : run)
}
