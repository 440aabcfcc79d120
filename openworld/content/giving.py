"""The items that players can give: all that are counted. Tools, bow and armour are not given."""

from openworld.content.ids import Action, Item

#: Item -> the action that gives one of it to the player faced.
GIVING: dict[Item, Action] = {
    item: Action[f"GIVE_{item.name}"] for item in Item if f"GIVE_{item.name}" in Action.__members__
}
