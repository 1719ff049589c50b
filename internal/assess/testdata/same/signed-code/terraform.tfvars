functions = {
  release = { runtime = "python3.13", key = "signed/release.zip", signing = "Enforce" }
  preview = { runtime = "python3.8", key = "preview.zip", signing = "Warn" }
}
