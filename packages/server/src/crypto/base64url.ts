/**
 * The bytes of a text in base64url without padding. `undefined` if it is not the one text that these bytes have: other
 * characters, padding, or unused bits that are not zero (RFC 4648 §3.5) would make several texts of one token.
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
