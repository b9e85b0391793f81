import { withMethodsOf } from '../on-first-use.js'
import type { OpenDataNeeds, OpenDataReader } from './open-data.js'
import { createSign, type Sign } from './sign.js'
import type { TicketNeeds, Tickets } from './tickets.js'
import type { UserKeys, UserKeysNeeds } from './user-keys.js'
import type { CreateVirtualPayment } from './virtual-payment.js'

export interface UserInfo<Claims extends object> extends OpenDataReader {
  readonly userKeys: UserKeys
  readonly sign: Sign
  readonly virtualPayment: CreateVirtualPayment
  readonly tickets: Tickets<Claims>
}

/** What is done for signed-in users with their `session_key`s, and tickets. Most backends have no use for much of it. */
export function createUserInfo<Claims extends object>(
  needs: UserKeysNeeds<Claims> & Omit<OpenDataNeeds, 'userKeys'> & TicketNeeds<Claims>,
): UserInfo<Claims> {
  const userKeys = withMethodsOf<UserKeys>(
    async () => (await import('./user-keys.js')).createUserKeys(needs),
    { of: true, theOneOf: true },
  )
  const openData = withMethodsOf<OpenDataReader>(
    async () => (await import('./open-data.js')).createOpenDataReader({ ...needs, userKeys }),
    { openData: true, verifySignature: true },
  )
  const tickets = withMethodsOf<Tickets<Claims>>(
    async () => (await import('./tickets.js')).createTickets(needs),
    { issue: true, redeem: true },
  )
  const sign = createSign({ userKeys })

  return {
    userKeys,
    ...openData,
    sign,
    async virtualPayment(input) {
      const { createVirtualPayment } = await import('./virtual-payment.js')
      return createVirtualPayment({ ...needs, sign })(input)
    },
    tickets,
  }
}
