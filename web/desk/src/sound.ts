// What the page itself sounds: the ring, 450 Hz one second on and four off as on any telephone in China (GB/T 3380).
let context: AudioContext | null = null
let ringing: ReturnType<typeof setInterval> | undefined

function once(): void {
  context ??= new AudioContext()
  void context.resume()
  const tone = context.createOscillator()
  const level = context.createGain()
  const at = context.currentTime
  tone.frequency.value = 450
  level.gain.setValueAtTime(0, at)
  level.gain.linearRampToValueAtTime(0.2, at + 0.03)
  level.gain.setValueAtTime(0.2, at + 0.97)
  level.gain.linearRampToValueAtTime(0, at + 1)
  tone.connect(level).connect(context.destination)
  tone.start(at)
  tone.stop(at + 1)
}

export function ring(): void {
  if (ringing !== undefined) return
  once()
  ringing = setInterval(once, 5000)
}

export function quiet(): void {
  clearInterval(ringing)
  ringing = undefined
}
