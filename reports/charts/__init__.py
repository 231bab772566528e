"""The page's charts as SVG, and the chart of ratios as a file; drawn with matplotlib."""
