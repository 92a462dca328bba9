"""Where labelled frames go: video, rows, subtitles, report, crops, window."""
