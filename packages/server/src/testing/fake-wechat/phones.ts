import { createHash, randomBytes } from 'node:crypto'
import { type Answer, type Fields, refusal, succeeded, withFields } from './answers.js'
import { createCodes } from './codes.js'
import type { FakeWeChatApp, FakeWeChatAppChoice, People } from './people.js'

export interface FakeWeChatPhone extends FakeWeChatAppChoice {
  /** Without the country code (default `phoneNumberOf(person)`). */
  readonly phoneNumber?: string
  /** Default `'86'`. WeChat documents a string and shows a number, so it is sent as it is given. */
  readonly countryCode?: string | number
}

/** Phone numbers: the getPhoneNumber button, and `POST /wxa/business/getuserphonenumber`. */
export interface FakeWeChatPhones {
  /**
   * What the getPhoneNumber button gives this person: a code of its own kind that works once and for 5 minutes.
   * The other options apply to this code only; a person may have several numbers.
   */
  phoneCodeFor(person: string, options?: FakeWeChatPhone): string
  /** The Chinese mobile number derived from the person, the same in every run and mini program. */
  phoneNumberOf(person: string): string
}

export function createPhones({ people, now }: { people: People; now: () => number }) {
  const codes = createCodes<Answer>(now, () => randomBytes(32).toString('hex'))

  const methods: FakeWeChatPhones = {
    phoneCodeFor(
      person,
      { phoneNumber = methods.phoneNumberOf(person), countryCode = '86', ...choice } = {},
    ) {
      if (!/^\d+$/.test(phoneNumber)) throw new TypeError('phoneNumber must be a string of digits')
      if (!/^\d+$/.test(`${countryCode}`)) throw new TypeError('countryCode must be digits')
      const isForeign = `${countryCode}` !== '86'
      return codes.issue(people.userOf(person, choice), {
        phoneNumber: isForeign ? `+${countryCode}${phoneNumber}` : phoneNumber,
        purePhoneNumber: phoneNumber,
        countryCode,
      })
    },

    phoneNumberOf(person) {
      const digest = createHash('sha256')
        .update(`phone ${people.nameOf(person)}`)
        .digest()
      return `199${String(digest.readUInt32BE() % 1e8).padStart(8, '0')}`
    },
  }

  function getuserphonenumber(fields: Fields, app: FakeWeChatApp): Answer {
    const code = codes.find(fields.code)
    if (code?.user.app !== app || code.isUsed) return refusal(40029)
    // WeChat does not publish how it answers a mismatch.
    if (fields.openid && fields.openid !== code.user.openid) return refusal(40003)
    code.isUsed = true
    return {
      ...succeeded,
      phone_info: {
        ...code.details,
        watermark: { timestamp: code.issuedAt, appid: app.appId },
      },
    }
  }

  return {
    methods,
    endpoints: { 'POST /wxa/business/getuserphonenumber': withFields(getuserphonenumber) },
  }
}
