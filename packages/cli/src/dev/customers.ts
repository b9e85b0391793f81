import { AuthError } from '@wxlogin/server'
/** A customer of the sandbox's shop. */
export interface Customer {
  readonly id: string
  readonly name: string
}

interface Order {
  readonly id: string
  readonly title: string
  readonly price: number
}

/** The seeded people of the emulated WeChat, and what the shop knows of each. */
export const people = {
  ming: {
    name: '小明 Ming',
    orders: [
      { id: 'A-1001', title: '新人拿铁 Latte', price: 9.9 },
      { id: 'A-1002', title: '美式 Americano', price: 22 },
    ],
    isPhoneKnown: true,
  },
  hong: {
    name: '小红 Hong',
    orders: [{ id: 'A-2001', title: '燕麦拿铁 Oat latte', price: 30 }],
    isPhoneKnown: false,
  },
} as const

export type Person = keyof typeof people

/** Customers and their orders, in memory. */
export interface Customers {
  /** The customer of a WeChat account, a new one for one that is not known. */
  upsert(appId: string, openid: string): Customer
  /** Whose phone number this is: who had it before, else who gives it now. A guest's orders move along. */
  ownerOf(phoneNumber: string, guestId: string): Customer
  ordersOf(userId: string): readonly Order[]
  all(): readonly Customer[]
}

export interface CustomersOptions {
  /** The accounts of a seeded person, one for each AppID. */
  readonly accountsOf: (
    person: Person,
  ) => readonly { readonly appId: string; readonly openid: string }[]
  readonly phoneNumberOf: (person: Person) => string
}

export function createCustomers({ accountsOf, phoneNumberOf }: CustomersOptions): Customers {
  const customers = new Map<string, Customer>()
  const accounts = new Map<string, Customer>()
  const owners = new Map<string, Customer>()
  const orders = new Map<string, readonly Order[]>()

  function create(name: string | undefined, first: readonly Order[]): Customer {
    const id = String(customers.size + 1)
    const customer = { id, name: name ?? `顾客 ${id} 号 Guest ${id}` }
    customers.set(id, customer)
    orders.set(id, first)
    return customer
  }

  for (const person of Object.keys(people) as Person[]) {
    const { name, orders: first, isPhoneKnown } = people[person]
    const customer = create(name, first)
    for (const { appId, openid } of accountsOf(person)) accounts.set(`${appId} ${openid}`, customer)
    if (isPhoneKnown) owners.set(`+86 ${phoneNumberOf(person)}`, customer)
  }

  return {
    upsert(appId, openid) {
      const account = `${appId} ${openid}`
      const known = accounts.get(account)
      if (known) return known
      const customer = create(undefined, [
        { id: `A-${customers.size + 1}001`, title: '新人拿铁 Latte', price: 9.9 },
      ])
      accounts.set(account, customer)
      return customer
    },

    ownerOf(phoneNumber, guestId) {
      const owner = owners.get(phoneNumber) ?? customers.get(guestId)
      if (!owner) throw new Error(`There is no customer ${guestId}`)
      const [numberOfGuest] = [...owners].find(([, { id }]) => id === guestId) ?? []
      // Who has a number already is no guest, and two customers are never made one.
      if (owner.id !== guestId && numberOfGuest !== undefined) {
        throw new AuthError('access_denied', 'Both are customers', { reason: 'phone_taken' })
      }
      if (numberOfGuest !== undefined) owners.delete(numberOfGuest)
      owners.set(phoneNumber, owner)
      if (owner.id === guestId) return owner

      orders.set(owner.id, [...(orders.get(owner.id) ?? []), ...(orders.get(guestId) ?? [])])
      orders.delete(guestId)
      // From now on the guest's WeChat account is the owner's, too.
      for (const [account, { id }] of accounts) if (id === guestId) accounts.set(account, owner)
      return owner
    },

    ordersOf: (userId) => orders.get(userId) ?? [],
    all: () => [...customers.values()],
  }
}
