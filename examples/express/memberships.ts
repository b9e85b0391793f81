import { randomBytes } from 'node:crypto'

export interface MembershipOrder {
  /** Our number of it, which WeChat calls `outTradeNo`. */
  readonly id: string
  readonly userId: string
  /** The WeChat account that pays. */
  readonly openid: string
  readonly state: 'open' | 'granted' | 'refunded'
  readonly openedAtMs: number
}

/** In fen, as it is published in the WeChat console. */
export const membership = { productId: 'vip_year', price: 9900 } as const

/**
 * Orders of memberships, in memory. With a database `grant` is one conditional update, which only one of two wins:
 * `update orders set state = 'granted' where id = ? and state = 'open'`.
 */
export function createMemberships({ now = Date.now }: { now?: () => number } = {}) {
  const orders = new Map<string, MembershipOrder>()
  const years = new Map<string, number>()

  /** Each order makes a step once, however often it is told to: one year, and not two. */
  function step(id: string, from: MembershipOrder['state'], to: MembershipOrder['state']): boolean {
    const order = orders.get(id)
    if (order?.state !== from) return false
    orders.set(id, { ...order, state: to })
    years.set(order.userId, (years.get(order.userId) ?? 0) + (to === 'granted' ? 1 : -1))
    return true
  }

  return {
    open(userId: string, openid: string): MembershipOrder {
      const id = randomBytes(12).toString('hex')
      const order = { id, userId, openid, state: 'open', openedAtMs: now() } as const
      orders.set(order.id, order)
      return order
    },

    /** Says whether it was this call that granted. */
    grant: (id: string) => step(id, 'open', 'granted'),
    takeBack: (id: string) => step(id, 'granted', 'refunded'),

    /** The newest few that have waited so long: who asks often makes WeChat be asked often. */
    openOf: (userId: string, { waitedMs }: { waitedMs: number }) =>
      [...orders.values()]
        .filter((one) => one.userId === userId && one.state === 'open')
        .filter(({ openedAtMs }) => now() - openedAtMs >= waitedMs)
        .slice(-3),

    yearsOf: (userId: string) => years.get(userId) ?? 0,
  }
}
