// What the page speaks: Chinese until somebody asks for English, and then that, on this machine.
import { computed, ref, watchEffect } from 'vue'

import { Refused } from './api'
import { type Words, en, zh } from './words'

export type Language = 'zh-CN' | 'en'

const KEPT = 'rexian.language'

export const language = ref<Language>(localStorage.getItem(KEPT) === 'en' ? 'en' : 'zh-CN')

/** The words of the present language; use as `t.ready` in a template, `t.value.ready` in code. */
export const t = computed<Words>(() => (language.value === 'en' ? en : zh))

export function speak(wanted: Language): void {
  language.value = wanted
  localStorage.setItem(KEPT, wanted)
}

watchEffect(() => {
  document.documentElement.lang = language.value
})

/** A telephone number as people in China read it: 138 0013 8000, 0571 8765 4321; from E.164, null when withheld. */
export function asRead(number: string | null): string {
  if (number === null) return t.value.withheld
  const mobile = /^\+86(1\d{2})(\d{4})(\d{4})$/.exec(number)
  return mobile ? mobile.slice(1).join(' ') : number.replace(/^\+86/, '0')
}

/** Why something could not be done, for people to read. */
export function whyNot(error: unknown): string {
  return error instanceof Refused && error.status !== 0 ? t.value.failed + error.message : t.value.noAnswer
}

/** A name that comes from the hotline's files, as a person reads it; one that the page does not know, as it is. */
export function named(kind: 'queues' | 'choices' | 'outcomes', name: string): string {
  return t.value[kind][name] ?? name
}
