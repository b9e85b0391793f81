import { type AppKind, appKinds } from '@wxlogin/shared'
import type { KindNeeds, ServeApp } from './app-kind.js'
import { type MiniProgramApp, serveMiniPrograms } from './code2session.js'
import { type CustomApp, serveCustomApps } from './custom.js'
import { type OfficialAccountApp, serveOfficialAccounts } from './official-account.js'
import { serveWebsites, type WebsiteApp } from './website.js'
import { serveWeCom, type WeComApp } from './wecom.js'

/** An app that this backend serves; without a `kind` it is a mini program or a mini game. */
export type AppEntry = MiniProgramApp | WebsiteApp | OfficialAccountApp | WeComApp | CustomApp

const makers: Readonly<Record<AppKind, (needs: KindNeeds) => ServeApp>> = {
  mini_program: serveMiniPrograms,
  website: serveWebsites,
  official_account: serveOfficialAccounts,
  wecom: serveWeCom,
  custom: serveCustomApps,
}

/** What makes something to log in by of an entry, whatever its kind. */
export function createKinds(needs: KindNeeds): ServeApp {
  const serveByKind = new Map<unknown, ServeApp>(
    appKinds.map((kind) => [kind, makers[kind](needs)]),
  )

  return (place, entry) => {
    const { kind = 'mini_program' } = Object(entry)
    const serve = serveByKind.get(kind)
    if (serve) return serve(place, Object(entry))
    throw new TypeError(
      `${place}.kind must be one of ${appKinds.join(', ')}; leave it out for a mini program or a mini game`,
    )
  }
}
