// The microphone and the loudspeaker that the adviser chose on this machine, and how loud the microphone is.
import { reactive, ref } from 'vue'

const KEPT = 'rexian.devices'

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
/** Why there is no microphone: `denied` by the browser, or `missing`. */
export const trouble = ref<'denied' | 'missing' | null>(null)
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
    const gone = error instanceof DOMException && (error.name === 'OverconstrainedError' || error.name === 'NotFoundError')
    if (gone && chosen.microphone !== '') {
      chosen.microphone = '' // a headset that is not plugged in today
      return microphone()
    }
    trouble.value = gone || !(error instanceof DOMException) || error.name !== 'NotAllowedError' ? 'missing' : 'denied'
    return null
  }
  trouble.value = null
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
}

function watch(of: MediaStream): void {
  meter?.stop()
  const context = new AudioContext()
  const analyser = context.createAnalyser()
  analyser.fftSize = 512
  context.createMediaStreamSource(of).connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples)
    const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
    level.value = Math.max(0, Math.min(1, 1 + Math.log10(Math.max(rms, 1e-6)) / 2.5)) // -50 dBFS is silence, 0 is full
  }, 100)
  meter = {
    stop: () => {
      clearInterval(timer)
      void context.close()
    },
  }
}
