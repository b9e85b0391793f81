import type { Session } from '@wxlogin/client'
import { useEffect, useState } from 'react'
import { client, type Profile } from './client'

/** Who is logged in, as it changes: `undefined` for nobody, `'unknown'` until the silent login is through. */
export function useSession(): Session<Profile> | undefined | 'unknown' {
  const [session, setSession] = useState<Session<Profile> | undefined | 'unknown'>('unknown')
  useEffect(() => {
    client.ready().then(setSession)
    return client.onChange((change) => setSession(change.session))
  }, [])
  return session
}
