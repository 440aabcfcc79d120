"""The observation as an image: small pictures of blocks, creatures and items, put together on the device."""
