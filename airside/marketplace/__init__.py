"""The marketplace of this instance: what authors say of their apps, its review, and what people then see."""
