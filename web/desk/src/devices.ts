// The microphone and the loudspeaker that the adviser chose on this machine, and how loud the microphone is.
import { computed, reactive, ref } from 'vue'

const KEPT = 'rexian.devices'
const UNHEARD_MS = 4000
/** Peak of a sample: the noise of any microphone that is switched on is above it. */
const DEAD = 1e-5

interface Chosen {
  microphone: string
  speaker: string
}

function kept(): Chosen {
  try {
    return { microphone: '', speaker: '', ...(JSON.parse(localStorage.getItem(KEPT) ?? '{}') as Partial<Chosen>) }
  } catch {
    return { microphone: '', speaker: '' }
  }
}

/** By the browser's names for them; empty: the machine's own choice. */
export const chosen = reactive<Chosen>(kept())
export const microphones = ref<readonly MediaDeviceInfo[]>([])
export const speakers = ref<readonly MediaDeviceInfo[]>([])
/** Why there is no microphone: `insecure`: browsers give none to a page that came by plain HTTP; `denied` by the browser, or by the
 * machine; `missing`; `busy`: it is there and does not start. */
export const trouble = ref<'insecure' | 'denied' | 'missing' | 'busy' | null>(null)
/** The microphone is there, and nothing at all has come from it for a while. */
export const unheard = ref(false)
/** The browser knows of no loudspeaker. */
export const speakerless = computed(() => microphones.value.length > 0 && speakers.value.length === 0 && 'setSinkId' in Audio.prototype)
/** 0 to 1. */
export const level = ref(0)

let stream: MediaStream | null = null
let meter: { stop: () => void } | null = null

/** The microphone, asked for once. Null, with `trouble`, when there is none. */
export async function microphone(): Promise<MediaStream | null> {
  if (stream?.getAudioTracks().some((track) => track.readyState === 'live')) return stream
  const wanted = chosen.microphone === '' ? {} : { deviceId: { exact: chosen.microphone } }
  try {
    stream = await capture(wanted)
  } catch (error) {
    const name = error instanceof DOMException ? error.name : ''
    const gone = name === 'OverconstrainedError' || name === 'NotFoundError'
    if (gone && chosen.microphone !== '') {
      chosen.microphone = '' // a headset that is not plugged in today
      return microphone()
    }
    trouble.value = !isSecureContext ? 'insecure' : name === 'NotAllowedError' ? 'denied' : name === 'NotReadableError' ? 'busy' : 'missing'
    return null
  }
  trouble.value = null
  unheard.value = false
  stream.getAudioTracks()[0]?.addEventListener('ended', () => { trouble.value = 'missing' }) // pulled out
  await list()
  watch(stream)
  return stream
}

function capture(wanted: MediaTrackConstraints): Promise<MediaStream> {
  if (!navigator.mediaDevices) throw new TypeError('no microphone outside a secure page')
  return navigator.mediaDevices.getUserMedia({
    audio: { ...wanted, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    video: false,
  })
}

async function list(): Promise<void> {
  const all = await navigator.mediaDevices.enumerateDevices()
  microphones.value = all.filter((each) => each.kind === 'audioinput' && each.deviceId !== '')
  speakers.value = all.filter((each) => each.kind === 'audiooutput' && each.deviceId !== '')
}

if (isSecureContext) navigator.mediaDevices.addEventListener('devicechange', () => { void list() })

/** Take another one; what was chosen is remembered on this machine. */
export async function choose(change: Partial<Chosen>): Promise<MediaStream | null> {
  Object.assign(chosen, change)
  localStorage.setItem(KEPT, JSON.stringify(chosen))
  if (change.microphone !== undefined) letGo()
  return microphone()
}

export function letGo(): void {
  meter?.stop()
  stream?.getTracks().forEach((track) => track.stop())
  stream = meter = null
  level.value = 0
  unheard.value = false
}

/** Of samples from -1 to 1: 0 is -50 dBFS and less, 1 is full. */
export function loudness(samples: Float32Array): number {
  const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
  return Math.max(0, Math.min(1, 1 + Math.log10(Math.max(rms, 1e-6)) / 2.5))
}

function watch(of: MediaStream): void {
  meter?.stop()
  const context = new AudioContext()
  const analyser = context.createAnalyser()
  analyser.fftSize = 512
  context.createMediaStreamSource(of).connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  let alive = performance.now()
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples)
    level.value = loudness(samples)
    if (samples.some((sample) => Math.abs(sample) > DEAD)) alive = performance.now()
    unheard.value = performance.now() - alive > UNHEARD_MS
  }, 100)
  meter = {
    stop: () => {
      clearInterval(timer)
      void context.close()
    },
  }
}
