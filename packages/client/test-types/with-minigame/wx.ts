import { createClient as createFullClient, type Wx as FullWx } from '../../src/full.js'
import { createClient, type Wx } from '../../src/index.js'

// The `wx` of a mini game fits the ports, as it is.
const port: Wx = wx
const fullPort: FullWx = wx
export const client = createClient({ baseUrl: 'https://api.example.com', wx: port })
export const fullClient = createFullClient({ baseUrl: 'https://api.example.com', wx: fullPort })

// A game has no `App`: what `wx.getLaunchOptionsSync()` says may be handed on.
export const launch = () => client.launch(wx.getLaunchOptionsSync())

type Changed<Member extends keyof Wx, Type> = Omit<typeof wx, Member> & { [M in Member]: Type }

// @ts-expect-error a listener that gets no options
export const changed: Wx = {} as Changed<'onShow', (listener: (options: number) => void) => void>
