"""The wires of the API: what each decides for itself. The engine asks a face's wire, and knows no wire's shape."""
