import { AuthError } from '@wxlogin/server'

export interface User {
  readonly id: string
  readonly name: string
}

// A type, because the answer to a pre-fetch has to be JSON, and an interface may grow.
export type Order = {
  readonly id: string
  readonly title: string
  readonly price: number
}

/** Users and their orders, in memory. With a database this is two queries; the README shows the upsert. */
export function createUsers() {
  const users = new Map<string, User>()
  const owners = new Map<string, User>()
  const orders = new Map<string, Order[]>()

  return {
    /** The user of a WeChat account. An openid means something only together with its AppID. */
    upsert(appId: string, openid: string): User {
      const account = `${appId} ${openid}`
      const known = users.get(account)
      if (known) return known

      const id = String(users.size + 1)
      const user = { id, name: `顾客 ${id} 号` }
      users.set(account, user)
      orders.set(id, [{ id: `A-${id}001`, title: '新人拿铁', price: 9.9 }])
      return user
    },

    /**
     * The user whose phone number this is: who had it before, else who gives it now. A guest's orders move along. Who has
     * a number already is no guest: a new number takes its place, and two customers are never made one.
     */
    ownerOf(phoneNumber: string, guestId: string): User {
      const guest = [...users.values()].find(({ id }) => id === guestId)
      const owner = owners.get(phoneNumber) ?? guest
      if (!owner) throw new Error(`There is no user ${guestId}`)
      const [numberOfGuest] = [...owners].find(([, { id }]) => id === guestId) ?? []
      if (owner.id !== guestId && numberOfGuest !== undefined) {
        throw new AuthError('access_denied', 'Both are customers', { reason: 'phone_taken' })
      }
      if (numberOfGuest !== undefined) owners.delete(numberOfGuest)
      owners.set(phoneNumber, owner)
      if (owner.id === guestId) return owner

      orders.set(owner.id, [...(orders.get(owner.id) ?? []), ...(orders.get(guestId) ?? [])])
      orders.delete(guestId)
      // From now on the guest's WeChat account is the owner's, too.
      for (const [account, user] of users) if (user.id === guestId) users.set(account, owner)
      return owner
    },

    nameOf: (userId: string) => [...users.values()].find(({ id }) => id === userId)?.name,

    ordersOf: (userId: string): readonly Order[] => orders.get(userId) ?? [],
  }
}
