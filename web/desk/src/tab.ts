// One page of a browser is the telephone: a second one would take the registration from it in mid-call.
import { ref } from 'vue'

/** Another page of this browser is the telephone already. */
export const elsewhere = ref(false)

let release: (() => void) | null = null

/** Be the one; false when another page is. Held until this page is closed or gives it back. */
export async function hold(): Promise<boolean> {
  if (release) return true
  return new Promise((resolve) => {
    void navigator.locks.request('rexian.phone', { ifAvailable: true }, (lock) => {
      elsewhere.value = lock === null
      resolve(lock !== null)
      return lock === null ? undefined : new Promise<void>((done) => { release = done })
    })
  })
}

export function giveBack(): void {
  release?.()
  release = null
}
