// The time by the hotline's clock: an adviser's machine may be wrong by minutes, and a wait must not be.
import { ref } from 'vue'

let ahead = 0

/** Milliseconds since 1970 by the hotline's clock, four times a second. */
export const now = ref(Date.now())

setInterval(() => {
  now.value = Date.now() - ahead
}, 250)

/** Every answer of the hotline says what time it is there, to the second. */
export function hear(date: string | null): void {
  const there = date === null ? NaN : Date.parse(date)
  if (Number.isNaN(there)) return
  const off = Date.now() - there - 500
  if (Math.abs(off - ahead) > 1500) ahead = off
}

/** `1:05`, `1:02:05`: how long that is. */
export function clocked(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`
}

/** Since an instant of the hotline's, ISO 8601. */
export function since(instant: string): string {
  return clocked(now.value - Date.parse(instant))
}
