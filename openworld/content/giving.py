"""What one player can give another: whatever is counted one by one. Tools, bow and armour stay with their owner."""

from openworld.content.ids import Action, Item

#: Item -> the action that gives one of it to the player faced.
GIVING: dict[Item, Action] = {
    item: Action[f"GIVE_{item.name}"] for item in Item if f"GIVE_{item.name}" in Action.__members__
}
