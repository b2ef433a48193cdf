// One page of a browser is the telephone: a second one would take the registration from it in mid-call.

/** A page that is loaded anew waits this long for itself to be gone. */
const GONE_MS = 2000

let release: (() => void) | null = null

/** Be the one; false when another page is. Held until this page is closed or gives it back. */
export async function hold(): Promise<boolean> {
  if (release) return true
  return new Promise((resolve) => {
    navigator.locks
      .request('rexian.phone', { signal: AbortSignal.timeout(GONE_MS) }, () => {
        resolve(true)
        return new Promise<void>((done) => { release = done })
      })
      .catch(() => { resolve(false) })
  })
}

export function giveBack(): void {
  release?.()
  release = null
}
