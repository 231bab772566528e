"""The page's charts, drawn with matplotlib as SVG."""
