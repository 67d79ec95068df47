"""Small charts as SVG, made of nothing but elements: each is a function of what it shows."""
